"""What the exercises of all lessons share: judging an answer, running it safely, showing the verdict, progress."""
