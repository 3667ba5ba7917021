"""The layouts of forms and lists: fields, and the sections, tables, signature blocks and columns that hold them."""
