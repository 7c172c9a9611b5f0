"""Endpoints that are no conversations: moderation, reranking, pictures, speech, transcription. All pass through."""
