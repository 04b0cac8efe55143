package com.datanadhi.echopost.operator.command;

/// The text that says when records become delivered that a command made pending.
final class DeliveryForecast {
  private DeliveryForecast() {}

  /// @param byAgent whether a running agent stored the records
  static String of(boolean byAgent) {
    return byAgent
        ? "the agent delivers them when the server is up"
        : "no agent is running, the next one delivers them";
  }
}
