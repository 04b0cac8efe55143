package com.datanadhi.sdk;

import com.datanadhi.sdk.testkit.Application;

/** {@link Application}, on a loaded machine. */
public final class LongTimeoutApplication {
  private LongTimeoutApplication() {}

  public static void main(String[] args) throws Exception {
    Application.run(args, configuration -> new DataNadhi(configuration, AbstractSdkTest.TIMEOUTS));
  }
}
