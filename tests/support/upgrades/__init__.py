"""The version at which issue 14 began, beside the present one."""
