"""The app config that replaces Django's admin site with project/admin_site.py. Named in INSTALLED_APPS."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "project.admin_site.StaffSite"
