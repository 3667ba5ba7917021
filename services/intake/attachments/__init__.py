"""Attachments: received, judged by their content, scanned, and kept by their SHA-256 in a folder or an S3-compatible store."""
