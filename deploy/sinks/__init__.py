"""A local mail server and SMS gateway: they speak SMTP and HTTP, store messages in files and forward none."""

from deploy.sinks.mail import MailSink
from deploy.sinks.sms import SmsSink

__all__ = ["MailSink", "SmsSink"]
