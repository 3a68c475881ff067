"""The WSGI application for the web server. It refuses to start if a system check fails, as commands do."""

import os

from django.core.checks import ERROR, run_checks
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_wsgi_application()

if problems := [problem for problem in run_checks() if problem.is_serious(ERROR)]:
    raise SystemExit("\n".join(str(problem) for problem in problems))
