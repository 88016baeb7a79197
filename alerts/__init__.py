"""Rules, their evaluation and their notifications. Nothing stands here yet but the door."""
