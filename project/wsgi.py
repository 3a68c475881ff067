"""What the web server runs. A wrong configuration refuses to start here too, not only in commands."""

import os

from django.core.checks import ERROR, run_checks
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_wsgi_application()

if problems := [problem for problem in run_checks() if problem.is_serious(ERROR)]:
    raise SystemExit("\n".join(str(problem) for problem in problems))
