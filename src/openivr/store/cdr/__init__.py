"""Call records, their notes, reports and voicemail messages."""
