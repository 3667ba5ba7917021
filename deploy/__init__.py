"""Files and programs to install Jiesu and to run it locally, in containers and under monitoring."""
