"""The layouts of forms: fields, and the sections, tables and signature blocks that hold them."""
