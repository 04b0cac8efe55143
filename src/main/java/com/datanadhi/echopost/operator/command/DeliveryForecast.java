package com.datanadhi.echopost.operator.command;

/// The expected delivery of the records that a command made pending, as text.
final class DeliveryForecast {
  private DeliveryForecast() {}

  /// @param byAgent whether a running agent stored the records
  static String of(boolean byAgent) {
    return byAgent
        ? "the agent delivers them when the server is up"
        : "no agent is running, the next one delivers them";
  }
}
