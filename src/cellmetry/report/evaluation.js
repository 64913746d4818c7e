"use strict";
/* Sorts a table by the column whose head is pressed: worst (lowest) first, then the other way round. */
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.addEventListener("click", () => {
    const turn = head.ariaSort === "ascending" ? -1 : 1;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.ariaSort = turn === 1 ? "ascending" : "descending";
    const key = (row) => row.cells[column].dataset.value ?? "";
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x !== "" && y !== "") return turn * (Number(x) - Number(y));
      if (x !== y) return x === "" ? 1 : -1;
      return turn * a.cells[column].textContent.localeCompare(b.cells[column].textContent, undefined, { numeric: true });
    };
    body.append(...[...body.rows].sort(compare));
  }));
}
