"""A mail server and a text message gateway for this machine: they speak the true protocols, keep what they get, and pass nothing on."""

from deploy.sinks.mail import MailSink
from deploy.sinks.sms import SmsSink

__all__ = ["MailSink", "SmsSink"]
