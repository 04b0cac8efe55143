package com.datanadhi.echopost.agent;

/// Identifies a run, for the log and for operators. Immutable.
///
/// @param version the program's version
/// @param serverUrl the main server's URL, without user and password
/// @param pid the process id
/// @param startedAt UTC, milliseconds since 1970
record AgentIdentity(String version, String serverUrl, long pid, long startedAt) {}
