package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.HubLauncher;
import java.util.Map;

/// What a command works with.
///
/// @param environment of the process
/// @param version of the program
record Session(
    Map<String, String> environment,
    String version,
    Output out,
    Output err,
    HubAccess hubs,
    HubLauncher launcher) {}
