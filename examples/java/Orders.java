import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Delivers orders through the token proxy. It knows nothing of tokens. */
public final class Orders {
  /** Takes the URL of the orders at the proxy, the file, how many orders of it, and how many in a second. */
  public static void main(String[] arguments) throws Exception {
    URI url = URI.create(arguments[0]);
    HttpClient client = HttpClient.newHttpClient();

    Delivery.run(arguments, (key, order) -> {
      HttpRequest request = HttpRequest.newBuilder(url)
          .header("Content-Type", "application/json")
          .header("Idempotency-Key", key)
          .POST(HttpRequest.BodyPublishers.ofString(order))
          .build();
      return client.sendAsync(request, BodyHandlers.discarding()).thenApply(response -> response.statusCode());
    });
  }
}
