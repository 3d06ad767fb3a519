//! A push on real servers, and a real engine.
