"""What PulseAudio does, a sentence each; every file is a topic."""
