package com.datanadhi.echopost.bench;

import java.nio.file.Path;

/// An executable with EchoPost's command line and contract.
///
/// @param name the subject of its values
record MeasuredProgram(String name, Path path) {
  /// The name of the program that the figures are about.
  static final String ECHOPOST = "EchoPost";

  /// The name of another program that is measured in the same rounds, as a floor.
  static final String PEER = "peer";

  /// Whether this is EchoPost. Only EchoPost must also exit correctly and keep its order.
  boolean isEchoPost() {
    return name.equals(ECHOPOST);
  }
}
