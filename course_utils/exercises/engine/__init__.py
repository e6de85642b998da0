"""What the exercises of all lessons share: judging, running safely, showing, remembering."""
