"""Posts messages into groups by the robots of WeCom, DingTalk and Feishu."""
