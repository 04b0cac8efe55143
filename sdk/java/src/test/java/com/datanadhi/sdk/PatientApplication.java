package com.datanadhi.sdk;

import com.datanadhi.sdk.testkit.Application;

/** {@link Application}, on a loaded machine. */
public final class PatientApplication {
  private PatientApplication() {}

  public static void main(String[] args) throws Exception {
    Application.run(args, configuration -> new DataNadhi(configuration, SdkTest.PATIENCE));
  }
}
