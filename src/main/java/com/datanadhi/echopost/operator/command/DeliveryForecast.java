package com.datanadhi.echopost.operator.command;

/// When the records that a command made pending will be delivered, as text.
final class DeliveryForecast {
  private DeliveryForecast() {}

  /// @param byAgent whether a running agent stored the records
  static String of(boolean byAgent) {
    return byAgent
        ? "the agent delivers them when the server is up"
        : "no agent is running, the next one delivers them";
  }
}
