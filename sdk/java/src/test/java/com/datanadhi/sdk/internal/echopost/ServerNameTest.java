package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.api.Test;

class ServerNameTest {
  private static String name(String url) {
    return ServerName.of(URI.create(url)).url();
  }

  @Test
  void urls_of_one_server_have_one_name() {
    assertThat(name("http://server:5000")).isEqualTo("http://server:5000");
    assertThat(name("HTTP://user:secret@Server:5000/")).isEqualTo("http://server:5000");
    assertThat(name("http://server:80")).isEqualTo("http://server");
    assertThat(name("https://server:443/Data/")).isEqualTo("https://server/Data");
    assertThat(name("http://my_server")).isEqualTo("http://my_server");
    assertThat(name("http://server:05000")).isEqualTo("http://server:5000");
    assertThat(name("http://my_server:080/")).isEqualTo("http://my_server");
    assertThat(name("http://server:")).isEqualTo("http://server");
    assertThat(name("https://server:/Data")).isEqualTo("https://server/Data");
    assertThat(name("http://[::1]")).isEqualTo("http://[::1]");
    assertThat(name("http://[::1]:80/")).isEqualTo("http://[::1]");
  }

  @Test
  void urls_of_other_servers_have_other_names() {
    assertThat(name("http://server:443")).isNotEqualTo(name("http://server"));
    assertThat(name("https://server")).isNotEqualTo(name("http://server"));
    assertThat(name("http://server/a")).isNotEqualTo(name("http://server/A"));
  }

  @Test
  void the_directory_of_a_server_has_the_same_name_in_every_version() {
    assertThat(new ServerName("http://server:5000").id()).isEqualTo("80ec2d88");
  }
}
