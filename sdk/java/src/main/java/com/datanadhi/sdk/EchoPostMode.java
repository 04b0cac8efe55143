package com.datanadhi.sdk;

/** Whether and how a client uses EchoPost. */
public enum EchoPostMode {
  /** Downloads the program if it is missing, and looks for a newer version once a day. */
  AUTO,
  /**
   * Uses the program if it is installed in the directory of EchoPost, also if that happens while
   * the client is open. Downloads nothing, and never replaces or removes the program.
   */
  ONLY_IF_PRESENT,
  /** Uses no EchoPost and downloads nothing. */
  NEVER
}
