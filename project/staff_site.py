"""The staff's site: Django's admin, with our name on it and no way around its login throttle."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "project.admin_site.StaffSite"
