const form = document.querySelector("#sign-in");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ name: form.elements.name.value, password: form.elements.password.value });
  const headers = { "Content-Type": "application/json", "X-Cellmetry": "1", "X-Cellmetry-Via": "web" };
  const answer = await fetch("api/v1/session", { method: "POST", headers, body });
  if (answer.ok) {
    location.reload();
  } else {
    document.querySelector("#wrong").textContent = (await answer.json()).error.message;
  }
});
