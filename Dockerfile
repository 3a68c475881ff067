# The production image: one for web, drain, workers and beat; compose.yaml tells each what to run.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data
RUN useradd --system --uid 10001 --home-dir /data --create-home hromada
WORKDIR /app

# The last part of requirements.txt, the servers for `make run`, stays out.
COPY requirements.txt .
RUN sed '/^# For `make run`/,$d' requirements.txt > /tmp/requirements.txt \
    && pip install --no-cache-dir --only-binary=:all: -r /tmp/requirements.txt

COPY . .
RUN SECRET_KEY=for-this-step-only python manage.py collectstatic --no-input \
    && python -m compileall -q /app

USER hromada
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["granian", "--interface=wsgi", "--host=0.0.0.0", "--port=8000", "--workers=2", "--blocking-threads=4", "--no-ws", \
     "--workers-kill-timeout=10", "--respawn-failed-workers", "project.wsgi:application"]
