package com.datanadhi.sdk;

import com.datanadhi.sdk.testkit.Application;

/** The {@link Application} with time-outs that are long enough for a loaded machine. */
public final class LongTimeoutApplication {
  private LongTimeoutApplication() {}

  public static void main(String[] args) throws Exception {
    Application.run(
        args, configuration -> AbstractSdkTest.newClient(configuration, AbstractSdkTest.TIMEOUTS));
  }
}
