"""Learners that take any reward"""
