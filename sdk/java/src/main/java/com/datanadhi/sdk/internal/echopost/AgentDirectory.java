package com.datanadhi.sdk.internal.echopost;

/** A directory with a buffer, and what is needed to use its agent. */
record AgentDirectory(
    DirectoryLayout layout, AgentStarter starter, AgentChannel channel, BacklogDetector backlog) {}
