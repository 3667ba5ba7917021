"""All dashboards, in the order of their links."""

from deploy.grafana.boards import deadlines, delivery, desk, management, messages, operations, triage

BOARDS = (management.BOARD, operations.BOARD, delivery.BOARD, deadlines.BOARD, messages.BOARD, triage.BOARD, desk.BOARD)
