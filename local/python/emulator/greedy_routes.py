"""A greedy path variable also takes the empty rest after its slash.

On AWS, `/dashboard/` reaches the route `/dashboard/{proxy+}`, which is how others serve an address that ends in a slash
(https://github.com/storacha/w3infra/pull/166); the emulator wants at least one character there. It can go once the
emulator takes none.
"""

from ministack.services import apigateway


def take_nothing():
    extract = apigateway._extract_path_params

    def with_nothing(route_path, request_path):
        found = extract(route_path, request_path)
        if found is not None or not (route_path.endswith("/{proxy+}") and request_path.endswith("/")):
            return found
        found = extract(route_path, request_path + "-")
        return None if found is None else {**found, "proxy": found["proxy"][:-1]}

    apigateway._extract_path_params = with_nothing
