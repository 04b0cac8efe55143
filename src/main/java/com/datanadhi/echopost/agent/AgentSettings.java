package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.upstream.MainServer;
import java.io.OutputStream;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The settings of one run. Immutable.
///
/// @param directory the agent's directory; created when it is missing
/// @param socketMode the permissions of the socket file
/// @param textfileDirectory where node_exporter's textfile collector reads metrics; or null
/// @param mainServer creates the client of the main server, which the run closes
/// @param serverUrl the main server's URL without user and password, for the log and for operators
/// @param version the program's version, for the log and for operators
/// @param standardOut gets a copy of the session log
/// @param previousCrashCause how the agent that this run replaces died, for the log; null when it
///   replaces none
/// @param whenReady is called once, when the agent is ready; must return at once
public record AgentSettings(
    Path directory,
    Set<PosixFilePermission> socketMode,
    @Nullable Path textfileDirectory,
    Supplier<MainServer> mainServer,
    String serverUrl,
    String version,
    OutputStream standardOut,
    @Nullable String previousCrashCause,
    Runnable whenReady) {}
