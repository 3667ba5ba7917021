"""Management: figures with the cases behind them, periodic reports, and the wallboard."""
