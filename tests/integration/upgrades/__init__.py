"""The version before operations beside the present one."""
