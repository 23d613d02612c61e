"""Who is this, and may they come in?"""
