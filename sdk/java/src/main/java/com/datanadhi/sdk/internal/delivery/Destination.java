package com.datanadhi.sdk.internal.delivery;

/** The receiver of a delivered record. */
public enum Destination {
  /** The main server acknowledged it. */
  MAIN_SERVER,
  /** EchoPost stored it, and delivers it when the main server is up again. */
  ECHOPOST,
  /** The fallback server acknowledged it, as part of a batch. */
  FALLBACK
}
