# A public demo of Cellmetry: anybody may look at the gallery and try things; visitors' studies are removed after a day.
#   docker build -t cellmetry .
#   docker run --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 -v cellmetry-demo:/data cellmetry --name demo.example.org
# Studies of the gallery are folders NAME.cellmetry in /data. For a group with accounts:
#   docker run -it --rm -v cellmetry:/data --entrypoint cellmetry cellmetry user add NAME --admin --home /data
#   docker run -p 127.0.0.1:8000:8000 -v cellmetry:/data cellmetry --mode server --name lab.example.org
FROM python:3.11-slim AS build
RUN python -m venv /opt/cellmetry
COPY . /source
RUN /opt/cellmetry/bin/pip install --no-cache-dir /source

FROM python:3.11-slim
COPY --from=build /opt/cellmetry /opt/cellmetry
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin cellmetry \
 && install -d -o cellmetry -g cellmetry /data
ENV PATH=/opt/cellmetry/bin:$PATH \
    HOME=/tmp \
    CELLMETRY_HOME=/data \
    MPLCONFIGDIR=/tmp/matplotlib \
    NUMBA_CACHE_DIR=/tmp/numba \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER cellmetry
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=30s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/api/v1/health', timeout=5)"]
# A later --mode takes the place of this one.
ENTRYPOINT ["cellmetry", "serve", "--host", "0.0.0.0", "--port", "8000", "--mode", "demo"]
