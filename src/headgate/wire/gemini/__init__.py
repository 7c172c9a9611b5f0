"""Google's Gemini API. A provider's format only: no client of ours speaks it."""
