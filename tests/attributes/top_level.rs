//! Networks and volumes of a stack: what stands at the top of the file.
