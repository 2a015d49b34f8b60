//! What people look at: a projection of the facts into SQL.
