"""Group chats: addresses, sizes and limits of robots."""
