"""A greedy path variable also takes the empty rest after its slash.

How AWS takes `/dashboard/` is not documented. Others report that it reaches `/dashboard/{proxy+}`
(https://github.com/storacha/w3infra/pull/166), so both routes of the template lead to one function; here the emulator wants
at least one character and would find no route. It can go once the emulator takes none.
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
