"""A course of one small lesson, to test the engine and the test of lessons on."""
