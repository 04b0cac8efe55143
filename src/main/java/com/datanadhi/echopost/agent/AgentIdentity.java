package com.datanadhi.echopost.agent;

/// Which run of which program this is. Immutable.
///
/// @param version the program's
/// @param server the main server's URL, without user and password
/// @param pid its process
/// @param startedAt UTC, milliseconds since 1970
record AgentIdentity(String version, String server, long pid, long startedAt) {}
