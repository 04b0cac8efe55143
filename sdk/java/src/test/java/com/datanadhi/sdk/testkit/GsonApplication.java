package com.datanadhi.sdk.testkit;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.DataNadhiConfiguration;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An application with Gson, which submits a tree of it. Its arguments are the directory and the URL
 * of the main server.
 */
public final class GsonApplication {
  private GsonApplication() {}

  public static void main(String[] args) {
    try (DataNadhi client =
        DataNadhi.open(
            DataNadhiConfiguration.builder(Path.of(args[0]))
                .apiKey("test-key")
                .serverHost(args[1])
                .echoPostDisabled(true)
                .build())) {
      client.submit(List.of(), Map.of("tree", JsonParser.parseString("[1,{}]")));
    }
  }
}
