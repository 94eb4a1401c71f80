//! How a failed control is put right: recipes, plans, what runs them, and the way back.
//! `edit/` changes the text of configuration files.

pub mod edit;
