"""Everything needed to set Jiesu up and run it; what runs on a bare machine lives in `deploy.embedded`."""
