"""What the course teaches, one file a lesson. A model draws nothing, reads no file and knows no lesson."""
